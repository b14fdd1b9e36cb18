-- Micro 04: decimal arithmetic over all rows
SELECT sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS charge FROM lineitem;
