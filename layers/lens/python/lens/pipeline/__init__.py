"""The pipeline: the stages that change the gallery, one verb a file.

embed writes segments, commit adds them to the head, compact folds them into a snapshot and thereby
builds the FAISS index.
"""
