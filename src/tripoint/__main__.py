"""`python -m tripoint`."""

from tripoint.apps.cli import main

if __name__ == "__main__":
    main()
