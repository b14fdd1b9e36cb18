-- Micro 03: LIKE over a long text
SELECT count(*) AS lines FROM lineitem WHERE l_comment LIKE '%special%requests%';
