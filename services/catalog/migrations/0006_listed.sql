-- migrate:up
-- A title that was only listed is found by its id: every list that is shown asks for its titles' posters.
-- Listings are few enough to be locked for the moment that this takes.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX listings_ids_idx ON listings USING gin (jsonb_path_query_array(titles, '$[*].id'));

-- migrate:down
DROP INDEX listings_ids_idx;
