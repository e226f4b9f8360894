"""Groups of commands, one module each; `add_to` puts a group's commands into the command line."""
