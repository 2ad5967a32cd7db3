"""NovaStream on one machine: real servers from wheels, a supervisor, and the `vod` command."""
