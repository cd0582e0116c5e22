"""Faults on a real network of namespaces: what a hub and its boards do when cables, processes and disks fail."""
