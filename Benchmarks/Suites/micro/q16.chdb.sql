SELECT count(*) AS orders FROM orders WHERE match(o_comment, '(ironic|final).*(deposits|packages)$');
