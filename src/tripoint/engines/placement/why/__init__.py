"""Why a plan is as it is: the same program with one thing changed, solved again."""
