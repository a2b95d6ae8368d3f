"""The local hybrid: three sites of real model servers on this machine, the gateway, callers and a dashboard."""
