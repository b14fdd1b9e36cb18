-- Micro 05: grouping by few values
SELECT l_returnflag, l_linestatus, count(*) AS lines, sum(l_quantity) AS quantity FROM lineitem GROUP BY l_returnflag, l_linestatus ORDER BY 1, 2;
