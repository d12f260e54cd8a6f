"""Where the commands that read a request get it from."""
