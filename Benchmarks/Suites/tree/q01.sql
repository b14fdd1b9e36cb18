-- Partition tree 1: three of 100,000 folders (make_partition_tree.py, layout buckets; table `tree`)
SELECT count(*) AS row_count, sum(n) AS total, min(s) AS first_text FROM tree WHERE a = 42 AND b IN (7, 77, 777);
