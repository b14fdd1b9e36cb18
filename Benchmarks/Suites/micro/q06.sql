-- Micro 06: grouping by many integers
SELECT l_partkey, count(*) AS lines FROM lineitem GROUP BY l_partkey ORDER BY lines DESC, l_partkey LIMIT 10;
