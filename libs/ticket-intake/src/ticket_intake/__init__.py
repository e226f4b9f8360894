"""What ingestors share: from what somebody said on a channel to the event on `support.messages.v1`."""
