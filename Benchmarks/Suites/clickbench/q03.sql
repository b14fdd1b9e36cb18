-- Web log 3: three global aggregates of small integers
SELECT sum(HistoryLength) AS steps, count(*) AS hits, avg(ResolutionHeight) AS height FROM hits;
