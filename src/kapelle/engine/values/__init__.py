"""What the engine knows about values: how they are told apart, stored, brought back and watched for changes.

    fingerprint   which inputs a call had: one digest from canonical encodings, never from pickle
    change        whether a task changed its arguments in place
    codecs        values to bytes and back, exactly
    exceptions    failures to records and back
    code          what a function computes, as a digest

A fingerprint reads its parts from the files `canonical*`: the walk itself, and the encodings by kind of value. Each
codec is one file; `json_forms` and its neighbours hold what the JSON codec makes of each type. `source` and `reach`
are behind `code`. `extras` is the only place that touches numpy, pandas, pyarrow, polars, pydantic and cloudpickle;
`naming` the only one that names classes.
"""
