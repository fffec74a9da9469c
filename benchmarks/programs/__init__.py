"""What the measured processes execute: scripts as a user would write them. Each says on its last line, in JSON, what it
measured of itself."""
