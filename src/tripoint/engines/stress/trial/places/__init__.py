"""What stands behind the gateway while a trial is played: places that answer, and the network in between."""
