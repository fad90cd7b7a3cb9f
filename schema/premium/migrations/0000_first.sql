CREATE TABLE `payment_event` (
	`id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`purchase_id` text NOT NULL,
	`happened_at_ms` integer NOT NULL,
	`received_at_ms` integer NOT NULL,
	`facts` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `payment_event_purchase` ON `payment_event` (`purchase_id`);--> statement-breakpoint
CREATE TABLE `purchase` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text,
	`tier` integer,
	`starts_at_ms` integer NOT NULL,
	`ends_at_ms` integer,
	`events` integer NOT NULL,
	`carried_events` integer NOT NULL,
	`trouble` text
);
--> statement-breakpoint
CREATE INDEX `purchase_uncarried` ON `purchase` (`carried_events`,`events`);