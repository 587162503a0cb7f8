"""A version as files for elsewhere. Nothing here knows of a clock: the same version makes the same bytes.

metadata.py   what a file says of itself: model, version, features, threshold, lineage
float16.py    a model file at half the precision; trees.py is how trees become so
image.py      a folder that builds a container image: requirements, Dockerfile, the artifact
"""
