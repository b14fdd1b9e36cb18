-- CSV 3: grouping by two short strings, many aggregates
SELECT l_shipmode, l_returnflag, count(*) AS lines, sum(l_quantity) AS quantity, avg(l_extendedprice) AS mean_price, max(l_tax) AS top_tax,
  min(l_receiptdate) AS first_receipt
FROM lineitem
GROUP BY l_shipmode, l_returnflag
ORDER BY l_shipmode, l_returnflag;
