# Reference numbers of tests/churn/risk: Rscript tests/churn/reference/risk.R (survival 3.5-3)
library(survival)
options(digits = 10)

# --- Brier score, censoring weights: test_scores.py
fit <- coxph(Surv(time, status) ~ age + sex, lung)
print(survival:::brier(fit, c(180, 365, 540))$brier)

# --- calibration at 365 days with the same weights: test_scores.py
t <- 365
d <- data.frame(time = lung$time, left = lung$status == 2)
d$p <- 1 - c(summary(survfit(fit, newdata = lung), t)$surv)
cens <- survfit0(survfit(Surv(time + ifelse(left, 0, .5), !left) ~ 1, d))
at <- findInterval(pmin(d$time + ifelse(d$left, 0, .5), t), cens$time)
d$known <- d$time >= t | d$left
d$w <- ifelse(d$known, 1 / cens$surv[at], 0)
d$y <- as.numeric(d$left & d$time <= t)
d$lp <- qlogis(d$p)
slope <- glm(y ~ lp, quasibinomial, d, weights = w)
print(coef(slope))
k <- quantile(d$lp, c(.1, .5, .9), type = 1)
curve <- glm(y ~ splines::ns(lp, knots = k[2], Boundary.knots = k[c(1, 3)]), quasibinomial, d,
             weights = w, control = list(epsilon = 1e-14))
away <- abs(fitted(curve) - d$p)
print(c(ici = mean(away), quantile(away, c(.5, .9), type = 1)))
print(c(oe = sum(d$w * d$y) / nrow(d) / mean(d$p),
        km = 1 - summary(survfit(Surv(time, status) ~ 1, lung), t)$surv))
case <- outer(d$w * d$y, d$w * (1 - d$y))
higher <- outer(d$p, d$p, ">") + .5 * outer(d$p, d$p, "==")
print(c(auc = sum(case * higher) / sum(case)))

# --- net benefit at q = 0.495, the 30th of 60 thresholds up to 0.99: test_decision.py
q <- .495
print(c(list = sum(d$w * (d$p >= q) * (d$y - (1 - d$y) * q / (1 - q))) / sum(d$w),
        all = sum(d$w * (d$y - (1 - d$y) * q / (1 - q))) / sum(d$w)))

# --- conditional risk and days to come of who is still there: test_risk.py
new <- subset(lung, status == 1)[c(1, 20, 50), ]
curve <- survfit(fit, newdata = new)
h <- 180
for (i in 1:3) {
  a <- new$time[i]
  s <- stepfun(curve$time, c(1, curve$surv[, i]))
  days <- sort(c(a, curve$time[curve$time > a & curve$time < a + h], a + h))
  print(c(row = as.numeric(rownames(new)[i]), age = a, risk = 1 - s(a + h) / s(a),
          days = sum(diff(days) * s(head(days, -1))) / s(a)))
}
