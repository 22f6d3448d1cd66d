"""Run an export on a phone over adb, compare every pixel with the certificate's, and add the result to it.

The order: read the kit, find the phone and the runtime's files, refuse what does not fit; then push, run, pull,
compare, record. The phone kit is written by `sr.export.kit`.
"""
