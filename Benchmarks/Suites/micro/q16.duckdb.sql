SELECT count(*) AS orders FROM orders WHERE regexp_matches(o_comment, '(ironic|final).*(deposits|packages)$');
