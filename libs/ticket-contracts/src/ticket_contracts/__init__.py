"""The words that Firebreak's services share; imports nothing else of ours."""
