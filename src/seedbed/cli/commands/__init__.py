"""What each command is called and takes, by what it is done with. The work is in the modules beside this folder, which
are imported when the command runs: the help imports no part.
"""
