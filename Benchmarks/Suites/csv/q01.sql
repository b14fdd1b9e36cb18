-- CSV 1: one aggregate of a narrow projection under a date filter
SELECT sum(l_extendedprice * l_discount) AS revenue, count(*) AS lines
FROM lineitem
WHERE CAST(l_shipdate AS date) >= DATE '1994-01-01' AND CAST(l_shipdate AS date) < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24;
