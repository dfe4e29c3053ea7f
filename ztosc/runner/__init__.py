"""What runs on a node: the standard library alone, so that the folder works wherever Python does, from a zip file too.

Guarantees: obeys files, never a network peer; what is not marked as ours is read at most; every command ends with an exit code that says
what happened and a report in JSON. `python -m ztosc.runner COMMAND` is what a node calls `ztos-node`.
"""
