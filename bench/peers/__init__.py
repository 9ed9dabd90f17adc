"""Corepost beside Dovecot and Cyrus: the same load, in alternation, on one machine. See
../README.md."""
