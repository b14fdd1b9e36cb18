-- Micro 16: regular expression
SELECT count(*) AS orders FROM orders WHERE regexp_like(o_comment, '(ironic|final).*(deposits|packages)$');
