"""One thread for torch and BLAS, here and in the processes that tests start.

The tests train small networks, where threads that wait for a busy core cost up to fifty times the
work that they share.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
