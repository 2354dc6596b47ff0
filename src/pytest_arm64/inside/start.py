"""Entry point: makes this folder importable as a package and runs the agent."""

import os
import sys

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.path.dirname(here)
    agent = __import__(f"{os.path.basename(here)}.agent", fromlist=["main"])
    sys.exit(agent.main(sys.argv[1]))
