"""Worker processes: what ``local[N]`` runs tasks in.

    main process                                        worker process (N of them, spawned when first needed)
    rdd/stages.py   an action -> stages -> tasks
    tasks.py        tasks on idle workers, one poll loop  ──►  worker.py   unpickles lineage and function, computes
    process.py      starts, kills                         ◄──              pickled results, sums of accumulators
    pool.py         who is idle

The main process routes pickled bytes: what goes from one stage to the next is not unpickled on the way.
"""
