"""Notebooks and manifests read, and everything checked before a kernel starts."""
