-- Micro 07: grouping by many texts
SELECT o_clerk, max(o_totalprice) AS top FROM orders GROUP BY o_clerk ORDER BY top DESC, o_clerk LIMIT 10;
