#IfNotTable jitsi_tokens_done
CREATE TABLE `jitsi_tokens_done` (
  `name` VARCHAR(160) NOT NULL COMMENT 'the id of a visit whose reminder was sent, or comparison',
  `at` DATETIME NOT NULL COMMENT 'in UTC',
  PRIMARY KEY (`name`)
) ENGINE=InnoDB;
#EndIf

#IfNotRow background_services name Jitsi_Tokens
INSERT INTO `background_services` (`name`, `title`, `active`, `running`, `execute_interval`, `function`, `require_once`, `sort_order`) VALUES ('Jitsi_Tokens', 'Video visits: compare with the calendar', 1, 0, 4, 'jitsi_tokens_compare', NULL, 110);
#EndIf
