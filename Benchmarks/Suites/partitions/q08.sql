-- Partitions 8: one of 10,000 folders (make_partition_tree.py; table `tree`)
SELECT count(*) AS row_count, sum(n) AS total, min(s) AS first_text FROM tree WHERE a = 4 AND b = 321;
