#!/usr/bin/env python3
"""Entry of `python3 bench/peers`."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from peers.run import main  # noqa: E402

sys.exit(main())
