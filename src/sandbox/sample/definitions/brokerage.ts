import { missing, owner, privileged } from './definers.ts';
import type { SchemaDefinition } from './schema-definition.ts';

const customers = [
  `CREATE TABLE customer (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    code VARCHAR(32) CHARACTER SET ascii NOT NULL,
    name VARCHAR(120) NOT NULL,
    email VARCHAR(190) NULL,
    born DATE NULL,
    tier ENUM('basic','plus','private') NOT NULL DEFAULT 'basic',
    preferences JSON NULL,
    referred_by BIGINT UNSIGNED NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    email_domain VARCHAR(190) AS (SUBSTRING_INDEX(email, '@', -1)) VIRTUAL,
    risk_note VARCHAR(200) NULL INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY customer_code (code),
    UNIQUE KEY customer_email (email),
    KEY customer_domain (email_domain),
    KEY customer_name (name(12), born DESC),
    CONSTRAINT customer_referred_by FOREIGN KEY (referred_by) REFERENCES customer (id) ON DELETE SET NULL
  ) ENGINE=InnoDB COMMENT='people; a self reference that is set to NULL'`,
  `CREATE TABLE desk (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    parent_id INT UNSIGNED NULL,
    name VARCHAR(80) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT desk_parent FOREIGN KEY (parent_id) REFERENCES desk (id) ON DELETE CASCADE
  ) ENGINE=InnoDB COMMENT='a tree: deleting a desk deletes everything below it'`,
  `CREATE TABLE account (
    id BIGINT UNSIGNED NOT NULL COMMENT 'up to 2^64-1',
    customer_id BIGINT UNSIGNED NOT NULL,
    number VARCHAR(34) CHARACTER SET ascii NOT NULL,
    currency CHAR(3) CHARACTER SET latin1 NOT NULL,
    opening_balance DECIMAL(30,10) NOT NULL DEFAULT 0,
    balance DECIMAL(30,10) NOT NULL DEFAULT 0,
    margin DECIMAL(12,2) NOT NULL DEFAULT 0,
    version INT UNSIGNED NOT NULL DEFAULT 0,
    active BIT(1) NOT NULL DEFAULT b'1',
    available DECIMAL(30,10) AS (balance - margin) VIRTUAL,
    overdrawn TINYINT(1) AS (balance < 0) STORED,
    PRIMARY KEY (id),
    UNIQUE KEY account_number (number),
    KEY account_overdrawn (overdrawn, currency),
    CONSTRAINT account_customer FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    CONSTRAINT account_margin CHECK (margin >= 0)
  ) ENGINE=InnoDB`,
];

const instruments = [
  `CREATE TABLE instrument (
    symbol VARCHAR(48) NOT NULL COMMENT 'a key that ignores case',
    name VARCHAR(120) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
    kind ENUM('share','bond','fund','option','future') NOT NULL,
    isin CHAR(12) CHARACTER SET latin1 NULL,
    tick DECIMAL(30,10) NOT NULL,
    listing_slot INT UNSIGNED NULL COMMENT 'unique and nullable: values are swapped between rows',
    flags SET('tradable','shortable','marginable','halted','dark') NOT NULL DEFAULT '',
    meta JSON NULL,
    meta_sector VARCHAR(40) COLLATE utf8mb4_bin AS (meta->>'$.sector') VIRTUAL,
    PRIMARY KEY (symbol),
    UNIQUE KEY instrument_isin (isin),
    UNIQUE KEY instrument_slot (listing_slot),
    KEY instrument_sector (meta_sector),
    KEY instrument_name_lower ((LOWER(name)))
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci`,
  `CREATE TABLE watchlist_item (
    customer_id BIGINT UNSIGNED NOT NULL,
    symbol VARCHAR(48) NOT NULL,
    rank_no SMALLINT NOT NULL DEFAULT 0,
    added_at DATETIME(6) NOT NULL,
    PRIMARY KEY (customer_id, symbol),
    CONSTRAINT watchlist_customer FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    CONSTRAINT watchlist_instrument FOREIGN KEY (symbol) REFERENCES instrument (symbol) ON DELETE CASCADE ON UPDATE CASCADE
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci`,
  `CREATE TABLE \`price.history\` (
    symbol VARCHAR(48) NOT NULL,
    day DATE NOT NULL,
    open DECIMAL(30,10) NOT NULL,
    close DECIMAL(30,10) NOT NULL,
    vwap DOUBLE NULL,
    volatility FLOAT NULL,
    volume BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (symbol, day),
    KEY price_day (day DESC, symbol),
    CONSTRAINT price_instrument FOREIGN KEY (symbol) REFERENCES instrument (symbol) ON DELETE CASCADE ON UPDATE CASCADE
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='a dot in the name'`,
];

const trading = [
  `CREATE TABLE \`order\` (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    account_id BIGINT UNSIGNED NOT NULL,
    symbol VARCHAR(48) NOT NULL,
    client_ref VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    side ENUM('buy','sell') NOT NULL,
    status ENUM('new','partial','filled','cancelled') NOT NULL DEFAULT 'new',
    quantity DECIMAL(30,10) NOT NULL,
    \`limit\` DECIMAL(30,10) NULL,
    fee DECIMAL(30,10) NOT NULL DEFAULT 0,
    attributes JSON NULL,
    placed_at DATETIME(6) NOT NULL,
    expires_at TIMESTAMP NULL,
    notional DECIMAL(60,10) AS (quantity * IFNULL(\`limit\`, 0)) STORED,
    internal_note VARCHAR(120) NULL INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY order_client_ref (client_ref),
    KEY order_account (account_id, status),
    KEY order_symbol (symbol),
    CONSTRAINT order_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT order_instrument FOREIGN KEY (symbol) REFERENCES instrument (symbol) ON UPDATE CASCADE,
    CONSTRAINT order_quantity CHECK (quantity > 0)
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='a reserved word'`,
  `CREATE TABLE fill (
    order_id BIGINT UNSIGNED NOT NULL,
    line_no SMALLINT UNSIGNED NOT NULL,
    quantity DECIMAL(30,10) NOT NULL,
    price DECIMAL(30,10) NOT NULL,
    venue CHAR(4) CHARACTER SET latin1 NOT NULL,
    executed_at DATETIME(6) NOT NULL,
    PRIMARY KEY (order_id, line_no),
    KEY fill_venue (venue, executed_at),
    CONSTRAINT fill_order FOREIGN KEY (order_id) REFERENCES \`order\` (id) ON DELETE CASCADE ON UPDATE CASCADE
  ) ENGINE=InnoDB`,
  `CREATE TABLE TradeNote (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    order_id BIGINT UNSIGNED NULL,
    author VARCHAR(60) CHARACTER SET latin1 NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (id),
    FULLTEXT KEY note_body (body),
    CONSTRAINT note_order FOREIGN KEY (order_id) REFERENCES \`order\` (id) ON DELETE SET NULL
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='upper and lower case in the name'`,
  `CREATE TABLE document (
    id BINARY(16) NOT NULL,
    customer_id BIGINT UNSIGNED NULL,
    kind VARCHAR(20) CHARACTER SET ascii NOT NULL,
    signature VARBINARY(400) NULL COMMENT 'tabs, newlines, backslashes and NULs',
    content MEDIUMBLOB NOT NULL,
    summary MEDIUMTEXT NULL,
    PRIMARY KEY (id),
    CONSTRAINT document_customer FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE SET NULL
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
  `CREATE TABLE \`clearing-member\` (
    \`member no\` BIGINT UNSIGNED NOT NULL,
    name VARCHAR(80) NOT NULL,
    capacity BIGINT NOT NULL,
    PRIMARY KEY (\`member no\`)
  ) ENGINE=InnoDB COMMENT='a dash in the name; keys near 2^64-1 that change'`,
  `CREATE TABLE \`clearing margin call\` (
    \`member no\` BIGINT UNSIGNED NOT NULL,
    \`call\` INT UNSIGNED NOT NULL,
    amount DECIMAL(65,30) NOT NULL,
    due TIME(3) NOT NULL COMMENT 'can be negative',
    PRIMARY KEY (\`member no\`, \`call\`),
    CONSTRAINT margin_call_member FOREIGN KEY (\`member no\`) REFERENCES \`clearing-member\` (\`member no\`) ON DELETE CASCADE ON UPDATE CASCADE
  ) ENGINE=InnoDB COMMENT='spaces in the name'`,
  `CREATE TABLE tape (
    source VARCHAR(60) CHARACTER SET ascii NOT NULL,
    tag INT NOT NULL,
    price DECIMAL(30,10) NULL,
    size INT NULL,
    flags BIT(64) NULL
  ) ENGINE=InnoDB COMMENT='no key at all, rows repeat'`,
];

const ledger = [
  `CREATE TABLE writer_session (
    writer_id CHAR(36) CHARACTER SET ascii NOT NULL,
    session_no SMALLINT UNSIGNED NOT NULL,
    last_seq BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (writer_id, session_no)
  ) ENGINE=InnoDB`,
  `CREATE TABLE ledger_entry (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    writer_id CHAR(36) CHARACTER SET ascii NOT NULL,
    session_no SMALLINT UNSIGNED NOT NULL,
    seq BIGINT UNSIGNED NOT NULL,
    kind VARCHAR(40) CHARACTER SET ascii NOT NULL,
    digest BINARY(32) NOT NULL,
    payload VARBINARY(2000) NOT NULL,
    entered_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (id),
    KEY ledger_writer (writer_id, session_no, seq)
  ) ENGINE=InnoDB COMMENT='not unique by writer and seq, so that a doubled transaction shows'`,
  `CREATE TABLE posting (
    entry_id BIGINT UNSIGNED NOT NULL,
    line_no TINYINT UNSIGNED NOT NULL,
    account_id BIGINT UNSIGNED NOT NULL,
    amount DECIMAL(30,10) NOT NULL,
    PRIMARY KEY (entry_id, line_no),
    KEY posting_account (account_id),
    CONSTRAINT posting_entry FOREIGN KEY (entry_id) REFERENCES ledger_entry (id) ON DELETE CASCADE,
    CONSTRAINT posting_account FOREIGN KEY (account_id) REFERENCES account (id)
  ) ENGINE=InnoDB`,
  `CREATE TABLE account_audit (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    account_id BIGINT UNSIGNED NOT NULL,
    old_balance DECIMAL(30,10) NOT NULL,
    new_balance DECIMAL(30,10) NOT NULL,
    actor VARCHAR(120) CHARACTER SET ascii NULL,
    noted_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    KEY audit_account (account_id)
  ) ENGINE=InnoDB COMMENT='written by triggers alone'`,
  `CREATE TABLE order_audit (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    order_id BIGINT UNSIGNED NOT NULL,
    change_kind ENUM('insert','update','delete') NOT NULL,
    actor VARCHAR(120) CHARACTER SET ascii NULL,
    before_row JSON NULL,
    noted_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB COMMENT='written by triggers alone'`,
];

/** Every balance is its opening balance plus its postings: what a verifier can recompute. */
export const brokerage: SchemaDefinition = {
  name: 'brokerage',
  create: 'CREATE DATABASE brokerage DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci',
  tables: [...customers, ...instruments, ...trading, ...ledger],
  routines: [
    `CREATE DEFINER=${owner} FUNCTION commission(notional DECIMAL(30,10)) RETURNS DECIMAL(30,10)
      DETERMINISTIC NO SQL SQL SECURITY INVOKER
      RETURN GREATEST(1, ROUND(notional * 0.0015, 10))`,
    `CREATE DEFINER=${owner} PROCEDURE post_amount(IN p_entry BIGINT UNSIGNED, IN p_line TINYINT UNSIGNED, IN p_account BIGINT UNSIGNED, IN p_amount DECIMAL(30,10))
      MODIFIES SQL DATA
    BEGIN
      UPDATE account SET balance = balance + p_amount, version = version + 1 WHERE id = p_account;
      INSERT INTO posting (entry_id, line_no, account_id, amount) VALUES (p_entry, p_line, p_account, p_amount);
    END`,
    `CREATE DEFINER=${privileged} PROCEDURE recompute_margins()
      MODIFIES SQL DATA COMMENT 'its definer holds SYSTEM_USER'
      UPDATE account SET margin = GREATEST(0, LEAST(margin, 1000000))`,
    `CREATE DEFINER=${missing} PROCEDURE purge_notes(IN days INT)
      MODIFIES SQL DATA COMMENT 'its definer is gone'
      DELETE FROM TradeNote WHERE order_id IS NULL AND days > 0`,
  ],
  views: [
    `CREATE DEFINER=${owner} SQL SECURITY INVOKER VIEW account_summary AS
      SELECT a.id, a.number, a.currency, a.balance, a.available, c.name AS customer_name, c.tier
      FROM account a JOIN customer c ON c.id = a.customer_id`,
    `CREATE DEFINER=${owner} SQL SECURITY DEFINER VIEW \`top customers\` AS
      SELECT customer_name, tier, SUM(balance) AS \`total balance\`
      FROM account_summary GROUP BY customer_name, tier`,
    `CREATE ALGORITHM=MERGE DEFINER=${owner} SQL SECURITY INVOKER VIEW OpenOrder AS
      SELECT id, account_id, symbol, side, quantity, \`limit\` FROM \`order\` WHERE status IN ('new','partial')
      WITH CASCADED CHECK OPTION`,
    `CREATE DEFINER=${missing} SQL SECURITY DEFINER VIEW forgotten_report AS
      SELECT symbol, COUNT(*) AS orders FROM \`order\` GROUP BY symbol`,
  ],
  triggers: [
    `CREATE DEFINER=${owner} TRIGGER account_audit_update AFTER UPDATE ON account FOR EACH ROW
    BEGIN
      IF NOT (OLD.balance <=> NEW.balance) THEN
        INSERT INTO account_audit (account_id, old_balance, new_balance, actor, noted_at)
        VALUES (NEW.id, OLD.balance, NEW.balance, @application_actor, NOW(6));
      END IF;
    END`,
    `CREATE DEFINER=${owner} TRIGGER order_defaults BEFORE INSERT ON \`order\` FOR EACH ROW
      SET NEW.internal_note = CONCAT('via ', IFNULL(@application_actor, 'console'))`,
    `CREATE DEFINER=${owner} TRIGGER order_defaults_second BEFORE INSERT ON \`order\` FOR EACH ROW FOLLOWS order_defaults
      SET NEW.internal_note = CONCAT(NEW.internal_note, '; checked')`,
    `CREATE DEFINER=${owner} TRIGGER \`order audit insert\` AFTER INSERT ON \`order\` FOR EACH ROW
      INSERT INTO order_audit (order_id, change_kind, actor, noted_at)
      VALUES (NEW.id, 'insert', @application_actor, NOW(6))`,
    `CREATE DEFINER=${owner} TRIGGER \`order audit delete\` AFTER DELETE ON \`order\` FOR EACH ROW
      INSERT INTO order_audit (order_id, change_kind, actor, before_row, noted_at)
      VALUES (OLD.id, 'delete', @application_actor, JSON_OBJECT('symbol', OLD.symbol, 'quantity', OLD.quantity), NOW(6))`,
  ],
  events: [
    `CREATE DEFINER=${owner} EVENT trim_audit ON SCHEDULE EVERY 1 DAY STARTS '2040-01-01 00:00:00'
      ON COMPLETION PRESERVE ENABLE
      DO DELETE FROM order_audit WHERE noted_at < NOW() - INTERVAL 400 DAY`,
  ],
};
