"""A first look: sample messages over real HTTP and SMTP, their tickets, and a breach within a minute."""
