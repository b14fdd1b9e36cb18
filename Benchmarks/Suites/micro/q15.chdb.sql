SELECT sum(lengthUTF8(upperUTF8(substringUTF8(o_comment, 5, 20)))) AS letters, count(*) AS orders FROM orders WHERE position(o_comment, 'deposits') > 0;
