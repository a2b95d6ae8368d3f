"""What people see of a run: the gateway's metrics read as anybody would, a dashboard, or lines where there is none."""
