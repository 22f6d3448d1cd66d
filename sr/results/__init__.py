"""Published values beside kept results, as a page that a command writes: `python -m sr.results`.

Modules: `kept_run` (a run's report, reduced for version control), `kept_card` (the same of a pretrained net's card),
`kept_estimates` (the same of `sr bench htp`), `kept_files` (all of them in a folder), `pairing` (the kept result of
each published value), `residual_table` (what a residual costs), `results_page` (Markdown).
"""
