-- The shop that a careful developer makes by hand: stock as counters that a check guards, orders with lines, a ledger of movements, an outbox
-- that is written with the order, and one round trip for all of it. SKUs are locked in the order of their ids, so that orders never wait for
-- each other in a circle; rows of stock leave room in their pages, so that no update touches an index.

CREATE TABLE items(id int PRIMARY KEY, sku text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE stock(
    item int PRIMARY KEY REFERENCES items, on_hand int NOT NULL, allocated int NOT NULL DEFAULT 0,
    CHECK (allocated BETWEEN 0 AND on_hand)) WITH (fillfactor = 20);
CREATE TABLE orders(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, channel text NOT NULL, external_id text NOT NULL, status text NOT NULL,
    payment_status text NOT NULL, allocation_status text NOT NULL, fulfillment_status text NOT NULL, currency text NOT NULL,
    total bigint NOT NULL, version int NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (external_id, channel));
CREATE TABLE order_lines(
    order_id bigint NOT NULL, line int NOT NULL, item int NOT NULL, ordered int NOT NULL, allocated int NOT NULL,
    unit_price bigint NOT NULL, total bigint NOT NULL, PRIMARY KEY (order_id, line));
CREATE TABLE movements(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item int NOT NULL, order_id bigint NOT NULL, kind text NOT NULL,
    quantity int NOT NULL, available int NOT NULL);
CREATE TABLE outbox(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text NOT NULL, subject text NOT NULL, body jsonb NOT NULL);
CREATE SEQUENCE numbers CACHE 1000;

INSERT INTO items SELECT n, 'SKU-' || n, 'Thing' FROM generate_series(0, 199) n;
INSERT INTO stock SELECT n, 1000000000 FROM generate_series(0, 199) n;

CREATE FUNCTION place(external text, sku_a text, units_a int, price_a int, sku_b text, units_b int, price_b int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    a int;
    b int;
    left_a int;
    left_b int;
    placed bigint;
    answer jsonb;
BEGIN
    SELECT id INTO STRICT a FROM items WHERE sku = sku_a;
    SELECT id INTO STRICT b FROM items WHERE sku = sku_b;
    IF a < b THEN
        UPDATE stock SET allocated = allocated + units_a WHERE item = a AND on_hand - allocated >= units_a
            RETURNING on_hand - allocated INTO STRICT left_a;
    END IF;
    UPDATE stock SET allocated = allocated + units_b WHERE item = b AND on_hand - allocated >= units_b
        RETURNING on_hand - allocated INTO STRICT left_b;
    IF a >= b THEN
        UPDATE stock SET allocated = allocated + units_a WHERE item = a AND on_hand - allocated >= units_a
            RETURNING on_hand - allocated INTO STRICT left_a;
    END IF;
    INSERT INTO orders(channel, external_id, status, payment_status, allocation_status, fulfillment_status, currency, total)
        VALUES ('web', external, 'open', 'none', 'full', 'unfulfilled', 'USD', units_a * price_a + units_b * price_b)
        RETURNING id INTO placed;
    INSERT INTO order_lines VALUES
        (placed, 1, a, units_a, units_a, price_a, units_a * price_a), (placed, 2, b, units_b, units_b, price_b, units_b * price_b);
    INSERT INTO movements(item, order_id, kind, quantity, available) VALUES
        (a, placed, 'allocated', units_a, left_a), (b, placed, 'allocated', units_b, left_b);
    answer := jsonb_build_object(
        'id', placed, 'external_id', external, 'status', 'open', 'total', units_a * price_a + units_b * price_b,
        'lines', jsonb_build_array(
            jsonb_build_object('sku', sku_a, 'ordered', units_a, 'allocated', units_a, 'unit_price', price_a),
            jsonb_build_object('sku', sku_b, 'ordered', units_b, 'allocated', units_b, 'unit_price', price_b)));
    INSERT INTO outbox(type, subject, body) VALUES ('order.placed', 'order/' || placed, answer);
    RETURN answer;
END $$;
