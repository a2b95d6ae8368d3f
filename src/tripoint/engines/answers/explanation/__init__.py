"""Why a workload is where it is: what may be asked, and what an answer holds."""
