<?php

/**
 * On the portal's home.
 *
 * @var array<string, JitsiTokens\OpenEMR\Visit> $visits
 * @var string                                   $token
 */

use JitsiTokens\OpenEMR\Module;

?>
<div class="col-12 mb-3 jitsi-tokens-card">
    <div class="card">
        <div class="card-header"><?php echo xlt('Video visits'); ?></div>
        <div class="card-body">
            <?php foreach ($visits as $visit) { ?>
            <form method="post" target="_blank" rel="noopener"
                action="<?php echo attr(Module::address('portal.php')); ?>">
                <input type="hidden" name="csrf_token_form" value="<?php echo attr($token); ?>">
                <input type="hidden" name="eid" value="<?php echo attr($visit->eids[0]); ?>">
                <input type="hidden" name="date" value="<?php echo attr($visit->date); ?>">
                <p>
                    <?php echo text($visit->begin()->format('Y-m-d H:i')); ?>,
                    <?php echo text(implode(', ', $visit->providers)); ?>
                    <button type="submit" class="btn btn-primary">
                        <?php echo xlt('Open the video visit'); ?>
                    </button>
                </p>
            </form>
            <?php } ?>
        </div>
    </div>
</div>
