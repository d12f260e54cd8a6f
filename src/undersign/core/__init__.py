"""What everything stands on: messages, fields, dates, credentials, and the grammar of what may be in them."""
