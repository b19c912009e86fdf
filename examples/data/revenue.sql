SELECT
    region,
    round(sum(units * price) FILTER (WHERE product = 'desk')) AS desks,
    round(sum(units * price) FILTER (WHERE product = 'chair')) AS chairs,
    round(sum(units * price) FILTER (WHERE product = 'lamp')) AS lamps,
    round(sum(units * price) FILTER (WHERE product = 'shelf')) AS shelves
FROM sales
GROUP BY region
ORDER BY sum(units * price) DESC
