-- Partitions 9: the folders of one outer key among 10,000
SELECT count(*) AS row_count, sum(v) AS total FROM tree WHERE a = 7;
