-- Web log 29: regular expression as a group key
SELECT regexp_replace(URL, '^[a-z]+://(?:www\.)?([^/?#]+).*$', '$1') AS host, avg(length(Title)) AS mean_length, count(*) AS hits, min(URL) AS a_page
FROM hits
WHERE URL <> ''
GROUP BY regexp_replace(URL, '^[a-z]+://(?:www\.)?([^/?#]+).*$', '$1')
HAVING count(*) > 2500
ORDER BY mean_length DESC, host
LIMIT 20;
