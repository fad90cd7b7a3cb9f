CREATE TABLE `account` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`state` text NOT NULL,
	`every_tier` integer NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `api_key` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`sealed_secret` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`last_used_at_ms` integer,
	`revoked_at_ms` integer,
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `api_key_account` ON `api_key` (`account_id`);--> statement-breakpoint
CREATE TABLE `entitlement` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`tier` integer NOT NULL,
	`starts_at_ms` integer NOT NULL,
	`ends_at_ms` integer,
	`source` text NOT NULL,
	`purchase_id` text,
	`purchase_events` integer NOT NULL,
	`warned_of_end_ms` integer,
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "entitlement_tier" CHECK("entitlement"."tier" BETWEEN 0 AND 63)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `entitlement_purchase_id_unique` ON `entitlement` (`purchase_id`);--> statement-breakpoint
CREATE INDEX `entitlement_account` ON `entitlement` (`account_id`);--> statement-breakpoint
CREATE INDEX `entitlement_end` ON `entitlement` (`ends_at_ms`);