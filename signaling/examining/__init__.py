"""What `shimawa doctor` is made of, for the hub and for the board: findings, how they are looked for and how they read.

Nothing here changes, installs or downloads anything.
"""
