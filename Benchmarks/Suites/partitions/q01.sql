-- Partitions 1: one partition by both keys
SELECT count(*) AS lines, sum(l_extendedprice) AS price FROM lineitem WHERE year = 1994 AND month = 3;
